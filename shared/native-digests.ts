import { hash } from "node:crypto";
import type { Digests } from "./digest.ts";

/** By the runtime's own library; Bun, Node and Deno have it. */
export const nativeDigests: Digests = {
  sha1: (content) => hash("sha1", content, "buffer"),
  sha256: (content) => hash("sha256", content, "buffer"),
};

import { hexText, randomBytes } from "../bytes.ts";

/** A trace as W3C Trace Context has it in version 00, else `null`. */
export function acceptedTraceparent(header: string | undefined): string | null {
  return header !== undefined && /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/.test(header)
    ? header
    : null;
}

/** One for a request that brings none. */
export function newTraceparent(): string {
  return `00-${hexText(randomBytes(16))}-${hexText(randomBytes(8))}-01`;
}

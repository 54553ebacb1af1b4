import { expect, test } from "bun:test";
import { join } from "node:path";
import { readRedpandaFiles } from "../../../dev/redpanda/files.ts";
import { examineDockerfile } from "../../../dev/redpanda/image/examine-dockerfile.ts";

const files = readRedpandaFiles(join(import.meta.dir, "../../.."));
const dockerfile = files.get("Dockerfile") ?? "";

test("the Dockerfile as it is has nothing wrong", () => {
  expect(examineDockerfile(files)).toEqual([]);
});

const plants: readonly (readonly [from: string, to: string, says: RegExp])[] = [
  ["STOPSIGNAL SIGTERM", "STOPSIGNALL SIGTERM", /Unknown instruction: STOPSIGNALL/],
  ["STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL", /not the one roles drain at/],
  ["USER 65532:65532", "USER nonroot", /not a number that is not root's/],
  ["USER 65532:65532", "USER 0:0", /not a number that is not root's/],
  ["${BUN_VERSION}-distroless${BUN_DIGEST}", "distroless", /no tag and digest/],
  ['ENTRYPOINT ["/usr/local/bin/bun", "redpanda/start.ts"]', "ENTRYPOINT bun redpanda/start.ts", /for a shell/],
  ['RUN ["bun", "install"', "RUN bun install #", /RUN is for a shell/],
  ["COPY patches", "ADD patches", /ADD fetches/],
  ["COPY patches", "COPY patchs", /copies patchs, which is not there/],
  ["COPY shared ./shared\n", "", /does not copy shared\/role\/role\.ts, which is imported/],
  ["COPY shared ./shared", "COPY shared README.md ./", /copies README\.md, which Dockerfile\.dockerignore keeps out/],
];

test("a misspelt instruction, a right too many and a forgotten file are told", () => {
  for (const [from, to, says] of plants) {
    const text = dockerfile.replace(from, to);
    const said = examineDockerfile(new Map(files).set("Dockerfile", text)).join("\n");
    expect([to, said]).toEqual([to, expect.stringMatching(says)]);
  }
});

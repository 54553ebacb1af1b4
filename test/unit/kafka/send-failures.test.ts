import { expect, test } from "bun:test";
import { protocolErrors } from "@platformatic/kafka";
import { judgeSendFailure } from "../../../shared/kafka/send-failures.ts";

/** As the client fails: what each try met is nested in one error. */
const failureWith = (apiId: string) =>
  new Error("sending failed", { cause: new AggregateError([Object.assign(new Error(apiId), { apiId })]) });

test("only the broker's answers about one record's content refuse it; of all others it is sent again", () => {
  const codes = Object.keys(protocolErrors);
  expect(codes).toContain("INVALID_TIMESTAMP");
  expect(codes).toContain("CORRUPT_MESSAGE");
  expect(codes.filter((code) => judgeSendFailure(failureWith(code)) === "refused").sort()).toEqual([
    "INVALID_RECORD",
    "MESSAGE_TOO_LARGE",
    "RECORD_LIST_TOO_LARGE",
  ]);
});

test("a failure without an answer of the broker refuses nothing", () => {
  for (const cause of [new Error("connect ECONNREFUSED"), null, "text"])
    expect(judgeSendFailure(cause)).toBe("unreachable");
});

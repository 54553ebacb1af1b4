import { expect, test } from "bun:test";
import { mailboxOf } from "../../../workers/notification-service/send/mailbox-of.ts";

test.each([
  ["ada@example.org", "ada@example.org"],
  ["Ada@EXAMPLE.org", "ada@example.org"],
  ["ada+home@example.org", "ada@example.org"],
  ["ada+a+b@example.org", "ada@example.org"],
  ["+ada@example.org", "+ada@example.org"],
  ["ada@a+b.example", "ada@a+b.example"],
])("%s counts as %s", (address, mailbox) => {
  expect(mailboxOf(address)).toBe(mailbox);
});

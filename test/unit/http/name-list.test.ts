import { expect, test } from "bun:test";
import { nameList } from "../../../shared/http/name-list.ts";

test("a list without filters has its plain name, so that cursors of before still lead on", () => {
  expect(nameList("notifications", { status: null, unread: null, created_after: null })).toBe("notifications");
});

test("each filter that is given is part of the name, by its own name and value", () => {
  const all = { status: "read", unread: false, created_after: new Date(0) };
  expect(nameList("x", all)).toBe("x/status=read/unread=false/created_after=1970-01-01T00:00:00.000Z");
  expect(nameList("x", { after: new Date(0), before: null })).not.toBe(
    nameList("x", { after: null, before: new Date(0) }),
  );
});

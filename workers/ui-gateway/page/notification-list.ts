import type { NotificationJson, ListPage } from "./shapes.ts";

/** What was read so far, newest first. `next_cursor` leads to what is older. */
export type NotificationPage = ListPage<NotificationJson>;

/**
 * The newest page, read again, before the older ones that were read already. Where the two do not meet there may be
 * more between them, and the page alone counts.
 */
export function withNewest(known: NotificationPage, page: NotificationPage): NotificationPage {
  const last = page.items.at(-1);
  const met = last === undefined ? -1 : known.items.findIndex(({ id }) => id === last.id);
  if (met === -1 || page.next_cursor === null) return page;
  return { items: [...page.items, ...known.items.slice(met + 1)], next_cursor: known.next_cursor };
}

/** With the page its cursor led to. */
export function withOlder(known: NotificationPage, page: NotificationPage): NotificationPage {
  return { items: [...known.items, ...page.items], next_cursor: page.next_cursor };
}

/** With one of them as it is now. */
export function withChanged(known: NotificationPage, changed: NotificationJson): NotificationPage {
  return { ...known, items: known.items.map((one) => (one.id === changed.id ? changed : one)) };
}

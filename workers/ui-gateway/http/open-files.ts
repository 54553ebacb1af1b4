import { openPage } from "../../../shared/http/open-page.ts";
import type { PageFiles } from "../../../shared/http/page.ts";
import { openDescriptions } from "../document/open-descriptions.ts";

/** Everything the gateway serves as it is: the page, and the descriptions that no route makes. */
export async function openFiles(): Promise<PageFiles> {
  const [page, descriptions] = await Promise.all([openPage(`${import.meta.dirname}/../page`), openDescriptions()]);
  return new Map([...page, ...descriptions]);
}

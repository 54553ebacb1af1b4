import { notify, type Notice } from "./notices.ts";
import { zoneHere } from "./repeat-words.ts";

const declined = "taskwire-zone-declined";

/** Whether to offer a person the zone of this browser: they never chose one, and have not said no to it here. */
export function shouldOffer(chosen: string, here: string, declinedZone: string | null): boolean {
  return chosen === "UTC" && here !== "UTC" && declinedZone !== here;
}

let offer: Notice | null = null;

/**
 * Offers the zone of the browser as the one reminders and repetitions are reckoned in. Once: what is declined is not
 * offered again, what was closed not before the page is opened anew.
 */
export function offerZone(chosen: string, take: (zone: string) => Promise<void>): void {
  const here = zoneHere();
  if (!shouldOffer(chosen, here, localStorage.getItem(declined))) return offer?.close();
  offer ??= notify({
    text: `This browser is in ${here}, your preferences say UTC.`,
    kind: "info",
    key: "zone",
    actions: [
      [`Use ${here}`, () => void take(here)],
      ["Keep UTC", () => localStorage.setItem(declined, here)],
    ],
  });
}

/** Another person may be asked again. */
export function forgetOffer(): void {
  offer?.close();
  offer = null;
}

import { byId, element } from "../../../shared/page/element.ts";
import { button } from "./fields.ts";
import { zoneHere } from "./repeat-words.ts";

const declined = "taskwire-zone-declined";

/** Whether to offer a person the zone of this browser: they never chose one, and have not said no to it here. */
export function shouldOffer(chosen: string, here: string, declinedZone: string | null): boolean {
  return chosen === "UTC" && here !== "UTC" && declinedZone !== here;
}

/** Offers the zone of the browser as the one reminders and repetitions are reckoned in. Once: what is declined is not offered again. */
export function offerZone(chosen: string, take: (zone: string) => Promise<void>): void {
  const here = zoneHere();
  const offer = byId("zone-offer");
  offer.hidden = !shouldOffer(chosen, here, localStorage.getItem(declined));
  const [yes, no] = [button(`Use ${here}`), button("Keep UTC", { class: "quiet" })];
  yes.addEventListener("click", () => {
    offer.hidden = true;
    void take(here);
  });
  no.addEventListener("click", () => {
    offer.hidden = true;
    localStorage.setItem(declined, here);
  });
  const text = element("p", {}, `The clock of this browser is that of ${here}, your preferences say UTC.`);
  offer.replaceChildren(text, yes, no);
}

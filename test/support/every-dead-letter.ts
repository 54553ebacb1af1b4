import type { DeadLetterFilter } from "../../workers/operator/actions/dead-letter-filter.ts";

export const everyDeadLetter: DeadLetterFilter = {
  group: null,
  state: null,
  ids: null,
  fingerprint: null,
  key: null,
  user: null,
  class: null,
  from: null,
  to: null,
};

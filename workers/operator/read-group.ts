import { Problem } from "../../shared/problem.ts";
import { groupNames, type GroupName } from "../../shared/messages/topics.ts";

/** The group of that name; rejects with NOT_FOUND naming all. */
export function readGroup(name: string): GroupName {
  const group = groupNames.find((one) => one === name);
  if (group === undefined)
    throw new Problem("NOT_FOUND", `there is no group "${name}"; there are ${groupNames.join(", ")}`);
  return group;
}

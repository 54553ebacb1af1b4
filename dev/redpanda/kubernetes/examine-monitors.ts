import type { RedpandaFiles } from "../files.ts";
import { listAt, nameOf, type KubeObject } from "./object.ts";

/**
 * Whether what is scraped gets the labels that alerts and dashboard ask for: the job, and the role of a pod that does
 * not answer.
 */
export function examineMonitors(objects: readonly KubeObject[], files: RedpandaFiles): readonly string[] {
  const asked = `${files.get("monitoring/alerts.yml") ?? ""}${files.get("monitoring/dashboard.json") ?? ""}`;
  const jobs = new Set([...asked.matchAll(/job=\\?"(\w+)\\?"/g)].map(([, job = ""]) => job));
  return objects
    .filter(({ kind }) => kind === "PodMonitor")
    .flatMap((monitor) => {
      const labels = listAt(monitor["spec"], "podMetricsEndpoints").flatMap((endpoint) =>
        listAt(endpoint, "relabelings"),
      );
      const job = labels.find(({ targetLabel }) => targetLabel === "job")?.["replacement"];
      return [
        ...(jobs.has(String(job)) ? [] : [`scrapes as the job ${String(job)}, alerts ask for ${[...jobs].join(", ")}`]),
        ...(labels.some(({ targetLabel }) => targetLabel === "role")
          ? []
          : ["does not say the role of a pod that is down"]),
      ].map((mistake) => `${nameOf(monitor)}: ${mistake}`);
    });
}

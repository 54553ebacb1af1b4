import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { localTime, readPreferences, taskPage } from "./answers.ts";
import type { CallApi } from "./call-api.ts";
import { said, telling } from "./tool-parts.ts";

const most = 100;
const seriesPage = z.looseObject({
  items: z.array(
    z.looseObject({
      template_id: z.string(),
      words: z.string().nullable(),
      status: z.string(),
      next: z.array(z.looseObject({ due_date: z.string().nullable(), due_on: z.string().nullable() })),
    }),
  ),
  next_cursor: z.string().nullable(),
});
type SeenSeries = z.output<typeof seriesPage>["items"][number];

/** What repeats, and when it comes next. */
export function addSeriesTool(server: McpServer, call: CallApi): void {
  server.registerTool(
    "list_repeating",
    {
      title: "List what repeats",
      description: "The repeating tasks: how each repeats, its next dates, and the id of its series.",
      inputSchema: z.object({}),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    () =>
      telling(async () => {
        const [found, { tz }] = await Promise.all([
          call({ method: "GET", path: `/v1/series?limit=${most}` }),
          readPreferences(call),
        ]);
        const { items, next_cursor } = seriesPage.parse(found);
        const titles = await titlesOf(items, call);
        const lines = items.map((series) => `- ${seriesLine(series, titles.get(series.template_id) ?? "", tz)}`);
        const more = next_cursor === null ? "" : ", and more that are not listed";
        return said([`${items.length} series${more}; times are of ${tz}.`, ...lines].join("\n"));
      }),
  );
}

async function titlesOf(series: readonly SeenSeries[], call: CallApi): Promise<ReadonlyMap<string, string>> {
  if (series.length === 0) return new Map();
  const ids = series.map(({ template_id }) => template_id).join(",");
  const found = await call({ method: "GET", path: `/v1/tasks?templates=true&limit=${most}&ids=${ids}` });
  return new Map(taskPage.parse(found).items.map(({ id, title }) => [id, title]));
}

function seriesLine({ template_id, words, status, next }: SeenSeries, title: string, zone: string): string {
  const dates = next.flatMap(({ due_date, due_on }) => due_on ?? (due_date === null ? [] : localTime(due_date, zone)));
  return [
    `${JSON.stringify(title)} [${template_id}]`,
    words ?? "",
    status === "ended" || status === "stopped" ? status : "",
    dates.length === 0 ? "" : `next ${dates.join(", ")}`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}

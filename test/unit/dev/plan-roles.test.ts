import { expect, test } from "bun:test";
import { planRoles, upstreamUrls } from "../../../dev/run/plan-roles.ts";

const procfile = ["task-service", "ui-gateway", "operator"].map((name) => ({ name, command: `bun ${name}.ts` }));

function setup({
  taken = [] as number[],
  only = undefined as string[] | undefined,
  scale = {} as Record<string, number>,
  say = (_line: string): void => {},
} = {}) {
  const used = new Set(taken);
  const choosePort = async (preferred: readonly number[]): Promise<number> => {
    const last = preferred.at(-1) ?? 1;
    const port = [...preferred, last + 1, last + 2, last + 3].find((candidate) => !used.has(candidate)) ?? 0;
    used.add(port);
    return port;
  };
  return planRoles({ procfile, only, scale: new Map(Object.entries(scale)), appPorts: [8080, 8480], choosePort, say });
}

test("the gateway's first instance has the application's port and every other instance one of its own", async () => {
  const plans = await setup({ scale: { "ui-gateway": 2, "task-service": 2 } });
  expect(plans.map(({ label, port }) => [label, port])).toEqual([
    ["task-service", 8100],
    ["task-service.2", 8101],
    ["ui-gateway", 8080],
    ["ui-gateway.2", 8241],
    ["operator", 8090],
  ]);
});

test("a taken port moves a role to its next choice, and the reason is said", async () => {
  const said: string[] = [];
  const plans = await setup({ taken: [8080, 8100], say: (line) => said.push(line) });
  expect(plans.map((plan) => plan.port)).toEqual([8101, 8480, 8090]);
  expect(said).toEqual(["8100 is taken; task-service is on 8101", "8080 is taken; the app is on 8480"]);
});

test("only the chosen roles are planned, on the ports they have anyway", async () => {
  expect((await setup({ only: ["operator"] })).map(({ name, port }) => [name, port])).toEqual([["operator", 8090]]);
});

test("the gateway tells its metrics on a port beside its own, the others on theirs", async () => {
  const plans = await setup({ taken: [8280] });
  expect(plans.map(({ name, metricsPort }) => [name, metricsPort])).toEqual([
    ["task-service", 8100],
    ["ui-gateway", 8281],
    ["operator", 8090],
  ]);
});

test("an unknown role is refused with the names of the known ones", async () => {
  await expect(setup({ only: ["gateway"] })).rejects.toThrow(
    'no role "gateway"; it has task-service, ui-gateway, operator',
  );
  await expect(setup({ scale: { nobody: 2 } })).rejects.toThrow('no role "nobody"');
});

test("the others find every instance of a role in one variable", async () => {
  const urls = upstreamUrls(await setup({ scale: { "task-service": 2 } }));
  expect(urls["TASK_SERVICE_URL"]).toBe("http://127.0.0.1:8100,http://127.0.0.1:8101");
  expect(urls["UI_GATEWAY_URL"]).toBe("http://127.0.0.1:8080");
});

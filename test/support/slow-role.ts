// A role whose requests take as long as their query says; for tests of how roles start and stop.
import { runRole } from "../../shared/role/role.ts";
import { sleep } from "../../shared/waiting/wait.ts";

await runRole("outbox-relay", {}, async (role) => {
  let isOpen = true;
  await role.serve(async (request) => {
    await sleep(Number(new URL(request.url).searchParams.get("ms")), new AbortController().signal);
    // What requests use must still be there.
    return new Response(isOpen ? "done" : "gone", { status: isOpen ? 200 : 500 });
  });
  isOpen = false;
});

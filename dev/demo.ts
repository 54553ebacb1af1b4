// Walks the product's story against a running `bun run dev` and prints what happened at each hop, with its time. Any
// role may be killed meanwhile: requests keep their idempotency keys and the stream resumes, so only the times change.
import { ensureInstalled } from "./installed.ts";

await ensureInstalled();
const { tellStory } = await import("./demo/story.ts");
process.exit(await tellStory(process.argv.slice(2)));

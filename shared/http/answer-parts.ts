/** Headers of answers for the `responses` of a route. */
const text = (description: string, example: string) => ({
  description,
  schema: { type: "string" as const, examples: [example] },
});

/** Of an answer with one thing that has a version. */
export const etagHeader = { ETag: text("Its version, quoted: for If-Match and If-None-Match.", '"3"') };

/** Of an answer to what made something. */
export const locationHeader = { Location: text("Where it is now.", "/v1/tasks/0193b2c8-7d5e-7c3a-9b1e-4f2f0c6b8d11") };

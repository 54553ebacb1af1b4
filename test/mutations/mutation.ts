/** One rule taken out of the product: a text of a file that is replaced by another. */
export type Mutation = Readonly<{
  /** What is wrong with the product then; its name. */
  breaks: string;
  /** From the root of the checkout. */
  file: string;
  /** Must be in the file exactly once. */
  replace: string;
  by: string;
  /** Test files that guard the rule, the cheapest first; those of the area by default. */
  tests?: readonly string[];
  /** A part of the title of the one test that guards it, where its file takes long. */
  title?: string;
}>;

/** Mutations of one part of the product, with the test files that cover it, the cheapest first. */
export type Area = Readonly<{ name: string; tests: readonly string[]; mutations: readonly Mutation[] }>;

/** The text as `bun run check` wants it in a file of that name. Throws where it is no text of that kind. */
export async function formatText(text: string, name: string): Promise<string> {
  const child = Bun.spawn([process.execPath, "fmt", "--no-script", `--stdin-filepath=${name}`], {
    cwd: import.meta.dir,
    stdin: new Blob([text]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, error, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`bun fmt ended with ${code}: ${error}`);
  return out;
}

/** Whether a client takes gzip (RFC 9110 §12.5.3): named, or by `*`, and not with a weight of 0. */
export function acceptsGzip(header: string | null): boolean {
  let byStar = false;
  for (const part of (header ?? "").toLowerCase().split(",")) {
    const [coding = "", ...parameters] = part.split(";").map((text) => text.trim());
    const isTaken = !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    if (coding === "gzip" || coding === "x-gzip") return isTaken;
    if (coding === "*") byStar = isTaken;
  }
  return byStar;
}

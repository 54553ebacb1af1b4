/** A webhook's URL without the user name and password that one of an older build may hold. */
export function shownUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.username === "" && url.password === "")) return text;
  url.username = "";
  url.password = "";
  return url.href;
}

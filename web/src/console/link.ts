/** What the page's address says: the ticket, and the server's name if given. */
export interface Link {
  ticket: string;
  name: string;
}

/**
 * Take the link out of the address bar, so that it is neither bookmarked nor
 * seen over a shoulder; null if there is none.
 */
export function take(location: Location, history: History): Link | null {
  const given = new URLSearchParams(location.hash.slice(1));
  const ticket = given.get("ticket") ?? "";
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  if (!/^[A-Za-z0-9_-]{20,128}$/.test(ticket)) return null;
  return { ticket, name: (given.get("name") ?? "").slice(0, 255) };
}

/** The websocket's address: beside the directory that this page is in. */
export function address(page: string, ticket: string): string {
  const url = new URL(`../console/${ticket}`, page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

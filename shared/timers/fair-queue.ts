/** Things that wait to be taken, an owner's in the order they came, the owners by turns. */
type FairQueue<T> = Readonly<{
  add: (owner: string, item: T) => void;
  /**
   * At most `limit`: one of each owner, then another of each, and so on. The next call goes on with the owner whose
   * turn it is.
   */
  take: (limit: number) => readonly T[];
  size: () => number;
}>;

export function makeFairQueue<T>(): FairQueue<T> {
  // The order of the map is the order of turns: who has had one goes to its end.
  const owners = new Map<string, { items: T[]; next: number }>();
  let size = 0;
  return {
    add: (owner, item) => {
      const line = owners.get(owner);
      if (line === undefined) owners.set(owner, { items: [item], next: 0 });
      else line.items.push(item);
      size++;
    },
    take: (limit) => {
      const taken: T[] = [];
      // A map's loop comes to what was added while it runs, so it goes round until nobody is left.
      for (const [owner, line] of owners) {
        if (taken.length === limit) break;
        owners.delete(owner);
        taken.push(...line.items.slice(line.next, ++line.next));
        if (line.next < line.items.length) owners.set(owner, line);
      }
      size -= taken.length;
      return taken;
    },
    size: () => size,
  };
}

/** What has to be written down of some texts where others, mostly the same, are known. Pure. */

type Texts = Readonly<Record<string, string>>;

export interface Difference {
  /** New, or with another content. */
  readonly put?: Texts;
  readonly removed?: readonly string[];
}

export function difference(from: Texts, to: Texts): Difference {
  const put = Object.fromEntries(Object.entries(to).filter(([name, text]) => from[name] !== text));
  const removed = Object.keys(from).filter((name) => to[name] === undefined);
  return {
    ...(Object.keys(put).length > 0 && { put }),
    ...(removed.length > 0 && { removed }),
  };
}

export function applied({ put = {}, removed = [] }: Difference, from: Texts): Texts {
  const kept = Object.entries(from).filter(([name]) => !removed.includes(name));
  return { ...Object.fromEntries(kept), ...put };
}

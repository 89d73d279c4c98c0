/** A package mirror of the user's: its words go into apt's sources, and its key decides what is installed. */
import { looksSecret, show } from "../show.ts";
import { writtenMachines } from "./machines.ts";
import type { Finding, Rule } from "./rule.ts";

/** What a suite or a component may be made of: nothing that ends a word or means something to a shell. */
const word = /^[A-Za-z0-9][A-Za-z0-9._+~/-]*$/;

export const isPrivatePgpKey = (key: string) => key.includes("PRIVATE KEY");

function urlFault(url: string): string | undefined {
  if (looksSecret(url)) return undefined;
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return "is not an http or https URL";
  return /^[A-Za-z0-9:/._~+%-]+$/.test(url) ? undefined : "may have letters, digits and :/._~+%- only";
}

/** Of what OpenPGP calls a transferable public key: armour around packets, the first of which is the key (tag 6). */
function keyFault(key: string): string | undefined {
  const begins = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
  if (!key.includes(begins)) {
    const place = /^[~/.]|^https?:/.test(key.trim()) ? "is a place and not a key; " : "";
    return `${place}expected the text of the key, ASCII-armoured (${begins})`;
  }
  const body =
    /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\n]*: [^\n]*\n)*\s*([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/.exec(
      key,
    )?.[1];
  const text = body?.replace(/\n=[A-Za-z0-9+/]{4}\s*$/, "").replace(/\s/g, "");
  const first = text && /^[A-Za-z0-9+/]+=*$/.test(text) ? Buffer.from(text, "base64")[0] : undefined;
  const tag =
    first === undefined || first < 0x80 ? undefined : first & 0x40 ? first & 0x3f : (first & 0x3f) >> 2;
  return tag === 6 ? undefined : "is damaged: it cannot be read as an OpenPGP public key; copy all of it";
}

const mirror: Rule = {
  code: "E_PACKAGE_MIRROR",
  needs: [],
  check: (_deployment, { written }) =>
    writtenMachines(written).flatMap(({ path, value: { packageMirror } }): Finding[] => {
      if (packageMirror === undefined) return [];
      const { url, suite, components, key } = packageMirror;
      const at = (field: string) => `${path}.packageMirror.${field}`;
      const found = (field: string, value: string, fault: string | undefined): Finding[] =>
        fault === undefined ? [] : [{ path: at(field), message: `${show(value, "")} ${fault}` }];
      const wrongWord = (value: string) =>
        word.test(value)
          ? undefined
          : 'may have letters, digits and "._+~/-" only, and begins with a letter or digit';
      const wrongKey = isPrivatePgpKey(key) ? undefined : keyFault(key);
      return [
        ...found("url", url, urlFault(url)),
        ...found(
          "suite",
          suite,
          suite.endsWith("/")
            ? "is of a repository without suites, which is not supported"
            : wrongWord(suite),
        ),
        ...components.flatMap((one) => found("components", one, wrongWord(one))),
        ...(wrongKey === undefined ? [] : [{ path: at("key"), message: wrongKey }]),
      ];
    }),
};

export const packageRules: readonly Rule[] = [mirror];

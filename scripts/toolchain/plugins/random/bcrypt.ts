/**
 * bcrypt (`$2a$`), which Node's crypto lacks: the official provider hands out the hash of every password. Written after
 * Provos and Mazières, "A Future-Adaptable Password Scheme". Only hashing; nothing here compares secrets.
 */

const ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const ROUNDS = 16;
const SUBKEYS = ROUNDS + 2;
const BOX = 256;

/** Only the first 72 bytes count, as everywhere with bcrypt. */
export function bcrypt(password: string, cost: number, salt: Uint8Array): string {
  const key = Buffer.concat([Buffer.from(password), Buffer.of(0)]).subarray(0, 72);
  const cipher = new Blowfish();
  cipher.expand(key, salt);
  for (let round = 0; round < 2 ** cost; round++) {
    cipher.expand(key);
    cipher.expand(salt);
  }
  const text = words(Buffer.from("OrpheanBeholderScryDoubt"));
  for (let at = 0; at < text.length; at += 2) {
    for (let round = 0; round < 64; round++) {
      cipher.encrypt(text, at);
    }
  }
  const hash = Buffer.alloc(text.length * 4);
  for (const [index, word] of text.entries()) {
    hash.writeUInt32BE(word, index * 4);
  }
  const head = `$2a$${String(cost).padStart(2, "0")}$`;
  return head + encode(salt) + encode(hash.subarray(0, 23));
}

class Blowfish {
  private readonly subkeys: Uint32Array;
  private readonly boxes: Uint32Array;

  constructor() {
    const digits = digitsOfPi();
    this.subkeys = digits.slice(0, SUBKEYS);
    this.boxes = digits.slice(SUBKEYS);
  }

  /** The expensive key schedule; with a salt, it is mixed into every block. */
  expand(key: Uint8Array, salt?: Uint8Array): void {
    const { subkeys, boxes } = this;
    const keyWord = cycle(key);
    for (let index = 0; index < subkeys.length; index++) {
      subkeys[index] = at(subkeys, index) ^ keyWord();
    }
    const saltWord = salt === undefined ? () => 0 : cycle(salt);
    const block = new Uint32Array(2);
    for (const table of [subkeys, boxes]) {
      for (let index = 0; index < table.length; index += 2) {
        block[0] = at(block, 0) ^ saltWord();
        block[1] = at(block, 1) ^ saltWord();
        this.encrypt(block, 0);
        table[index] = at(block, 0);
        table[index + 1] = at(block, 1);
      }
    }
  }

  /** Encrypts the two words of `data` from `offset` on, in place. */
  encrypt(data: Uint32Array, offset: number): void {
    const { subkeys, boxes } = this;
    let left = at(data, offset) ^ at(subkeys, 0);
    let right = at(data, offset + 1);
    for (let round = 1; round <= ROUNDS; round++) {
      const mixed =
        (((at(boxes, left >>> 24) + at(boxes, BOX + ((left >>> 16) & 255))) ^
          at(boxes, 2 * BOX + ((left >>> 8) & 255))) +
          at(boxes, 3 * BOX + (left & 255))) |
        0;
      const next = right ^ mixed ^ at(subkeys, round);
      right = left;
      left = next;
    }
    data[offset] = right ^ at(subkeys, SUBKEYS - 1);
    data[offset + 1] = left;
  }
}

/** An index that is in range by construction. */
function at(table: Uint32Array, index: number): number {
  return table[index] as number;
}

/** Big-endian words of `bytes`, over and over. */
function cycle(bytes: Uint8Array): () => number {
  let position = 0;
  return () => {
    let word = 0;
    for (let count = 0; count < 4; count++) {
      word = (word << 8) | (bytes[position] as number);
      position = (position + 1) % bytes.length;
    }
    return word;
  };
}

function words(bytes: Buffer): Uint32Array {
  return Uint32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4));
}

/** bcrypt's own base 64: another alphabet, no padding. */
function encode(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length; index += 3) {
    const rest = bytes.length - index;
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    for (let digit = 0; digit < Math.min(rest + 1, 4); digit++) {
      text += ALPHABET[(group >> (18 - 6 * digit)) & 63];
    }
  }
  return text;
}

/**
 * Blowfish starts from the fraction of pi in binary. Computing it (Machin's formula, a few milliseconds) is easier to
 * check than a table of a thousand constants.
 */
function digitsOfPi(): Uint32Array {
  const count = SUBKEYS + 4 * BOX;
  const guard = 64n;
  const one = 1n << (BigInt(count * 32) + guard);
  const pi = (16n * inverseTangent(5n, one) - 4n * inverseTangent(239n, one)) >> guard;
  const fraction = pi - (3n << BigInt(count * 32));
  const bytes = Buffer.from(fraction.toString(16).padStart(count * 8, "0"), "hex");
  return words(bytes);
}

/** arctan(1/x) in fixed point. */
function inverseTangent(x: bigint, one: bigint): bigint {
  let term = one / x;
  let sum = term;
  for (let n = 3n, sign = -1n; term !== 0n; n += 2n, sign = -sign) {
    term /= x * x;
    sum += (sign * term) / n;
  }
  return sum;
}

// What inputs and results hold, once they are decoded. Algorithms choose the form: JSON with or
// without the word "json." before it, a pickle of Python, or anything else. Nothing is ever run.
import { base64Of, bytesOf } from "./base64";
import { encrypt, isEncrypted } from "./message";

export type Payload =
  | { kind: "nothing" }
  | { kind: "sealed"; text: string } // encrypted, and not for a key that is here
  | { kind: "json"; value: unknown; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "text"; text: string; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "pickle"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "bytes"; bytes: Uint8Array<ArrayBuffer> };

// read tells what a stored text holds: base64 in plain collaborations, else it is encrypted.
export function read(stored: string | null | undefined): Payload {
  if (!stored) return { kind: "nothing" };
  if (isEncrypted(stored)) return { kind: "sealed", text: stored };
  try {
    return recognize(bytesOf(stored));
  } catch {
    return { kind: "text", text: stored, bytes: new TextEncoder().encode(stored) }; // not in base64
  }
}

// recognize tells JSON, text and pickles apart by how they begin.
export function recognize(bytes: Uint8Array<ArrayBuffer>): Payload {
  const pickled = bytes[0] === 0x80 && bytes[1]! <= 5;
  if (pickled || starts(bytes, "pickle.")) return { kind: "pickle", bytes };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { kind: "bytes", bytes };
  }
  try {
    return { kind: "json", value: JSON.parse(text.startsWith("json.") ? text.slice(5) : text), bytes };
  } catch {
    // eslint-disable-next-line no-control-regex
    return /[\u0000-\u0008\u000e-\u001f]/.test(text) ? { kind: "bytes", bytes } : { kind: "text", text, bytes };
  }
}

const starts = (bytes: Uint8Array, word: string) => [...word].every((c, i) => bytes[i] === c.charCodeAt(0));

// pack writes an input as the Python client does with data_format "json": the word "json." and
// the JSON, in base64, or encrypted for the organization that has the public key.
export async function pack(value: unknown, publicKey?: string): Promise<string> {
  const bytes = new TextEncoder().encode(`json.${JSON.stringify(value)}`);
  return publicKey === undefined ? base64Of(bytes) : encrypt(bytes, publicKey);
}

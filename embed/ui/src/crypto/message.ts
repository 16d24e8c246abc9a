// The encrypted form of inputs and results (/docs/tasks#forms): a fresh AES-256 key that is
// encrypted with the public key of who may read it, the counter that AES-CTR begins with, and the
// text, each in base64, joined by "$".
import { base64Of, bytesOf } from "./base64";
import type { PrivateKey } from "./rsa";

const keyLength = 32;
const counterLength = 16;

export const isEncrypted = (text: string) => /^[A-Za-z0-9+/]+=*\$[A-Za-z0-9+/]+=*\$[A-Za-z0-9+/]*=*$/.test(text);

// pemOf is the public key of an organization, which the API has in base64.
export const pemOf = (publicKey: string) => new TextDecoder().decode(bytesOf(publicKey));

const counter = (start: Uint8Array<ArrayBuffer>) => ({ name: "AES-CTR", counter: start, length: 128 });

export async function encrypt(text: Uint8Array<ArrayBuffer>, publicKey: string): Promise<string> {
  const { encryptKey } = await import("./rsa");
  const key = crypto.getRandomValues(new Uint8Array(keyLength));
  const start = crypto.getRandomValues(new Uint8Array(counterLength));
  const aes = await crypto.subtle.importKey("raw", key, "AES-CTR", false, ["encrypt"]);
  const hidden = new Uint8Array(await crypto.subtle.encrypt(counter(start), aes, text));
  return [encryptKey(key, pemOf(publicKey)), start, hidden].map(base64Of).join("$");
}

export async function decrypt(message: string, key: PrivateKey): Promise<Uint8Array<ArrayBuffer>> {
  const { decryptKey } = await import("./rsa");
  const [hiddenKey, start, hidden] = message.split("$", 3).map(bytesOf) as [Uint8Array, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  const aes = await crypto.subtle.importKey("raw", aesKey(decryptKey(hiddenKey, key)), "AES-CTR", false, ["decrypt"]);
  return new Uint8Array(await crypto.subtle.decrypt(counter(start), aes, hidden));
}

// aesKey takes a key as it is, or in base64, as web interfaces of 3.x sent it.
function aesKey(found: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (found.length === keyLength) return found;
  const inner = bytesOf(String.fromCharCode(...found));
  if (inner.length !== keyLength) throw new Error("the key in the message has the wrong length");
  return inner;
}

// Base64 of bytes, in pieces, since results may be long.

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

const piece = 0x8000;

export function base64Of(bytes: Uint8Array): string {
  let raw = "";
  for (let i = 0; i < bytes.length; i += piece) raw += String.fromCharCode(...bytes.subarray(i, i + piece));
  return btoa(raw);
}

// save has the browser store something as a file.
export function save(name: string, what: BlobPart, type = "application/octet-stream") {
  const address = URL.createObjectURL(new Blob([what], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

type Picker = (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;

const picker = () => (window as { showSaveFilePicker?: Picker }).showSaveFilePicker;

// streams reports whether the browser can write to a file what is still coming.
export const streams = () => picker() !== undefined;

// picked asks for the place of a file. Undefined: the user thought better of it. It has to be called
// by a click, before anything is waited for.
export async function picked(name: string): Promise<FileSystemFileHandle | undefined> {
  try {
    return await picker()!({ suggestedName: name });
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === "AbortError") return undefined;
    throw problem;
  }
}

// write brings what is coming to a file, without holding it. When it breaks off, what the file had before stays.
export async function write(file: FileSystemFileHandle, coming: Response) {
  await coming.body!.pipeTo(await file.createWritable());
}

// dropEmpty takes the file away that came to be by picking it, when nothing came to it. One that had something has it still.
export async function dropEmpty(file: FileSystemFileHandle & { remove?: () => Promise<void> }) {
  try {
    if ((await file.getFile()).size === 0) await file.remove?.();
  } catch {
    // it stays, empty
  }
}

// sizeText is a number of bytes for people.
export function sizeText(bytes: number, language: string): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let i = 0;
  let n = bytes;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return new Intl.NumberFormat(language, { style: "unit", unit: units[i]!, unitDisplay: i === 0 ? "long" : "short", maximumFractionDigits: n < 10 && i > 0 ? 1 : 0 }).format(n);
}

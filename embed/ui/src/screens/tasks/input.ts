// The input of a task as 3.x algorithms take it: a method, its arguments by name, and the wish
// for JSON, which the interface can show.

export type ArgKind = "text" | "number" | "boolean" | "list" | "json";
export type Arg = { key: string; name: string; kind: ArgKind; value: string };
export type Call = { method: string; central: boolean; args: Arg[] };

let made = 0;
export const newArg = (name = "", kind: ArgKind = "text", value = ""): Arg => ({ key: String(++made), name, kind, value });

// faultOf names what is wrong with the value of an argument.
export function faultOf(arg: Arg): "needNumber" | "notJson" | undefined {
  if (arg.kind === "number") return arg.value.trim() !== "" && Number.isFinite(Number(arg.value)) ? undefined : "needNumber";
  if (arg.kind === "json") return isJson(arg.value) ? undefined : "notJson";
  return undefined;
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export function isObjectJson(text: string): boolean {
  if (!isJson(text)) return false;
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueOf(arg: Arg): unknown {
  switch (arg.kind) {
    case "number":
      return Number(arg.value);
    case "boolean":
      return arg.value === "true";
    case "list":
      return arg.value.split(/[,\n]/).map((part) => part.trim()).filter(Boolean);
    case "json":
      return JSON.parse(arg.value);
    default:
      return arg.value;
  }
}

// inputOf is the input that calls a method. 3.x calls a central method "master".
export function inputOf(call: Call): Record<string, unknown> {
  return {
    method: call.method.trim(),
    ...(call.central ? { master: true } : {}),
    kwargs: Object.fromEntries(call.args.map((arg) => [arg.name.trim(), valueOf(arg)])),
    output_format: "json",
  };
}

const known = new Set(["method", "master", "args", "kwargs", "output_format", "organizations"]);

// callOf reads an input back into the form, when the form can show all of it.
export function callOf(input: unknown): Call | undefined {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return undefined;
  const { method, master, args, kwargs = {}, output_format: format } = input as Record<string, unknown>;
  const others = Object.keys(input).some((key) => !known.has(key) || key === "organizations");
  if (others || typeof method !== "string" || (Array.isArray(args) && args.length > 0) || (format !== undefined && format !== "json")) return undefined;
  if (typeof kwargs !== "object" || kwargs === null || Array.isArray(kwargs)) return undefined;
  return { method, central: master === true, args: Object.entries(kwargs).map(([name, value]) => argOf(name, value)) };
}

function argOf(name: string, value: unknown): Arg {
  if (typeof value === "string") return newArg(name, "text", value);
  if (typeof value === "number") return newArg(name, "number", String(value));
  if (typeof value === "boolean") return newArg(name, "boolean", String(value));
  if (Array.isArray(value) && value.every((one) => typeof one === "string" && !/[,\n]/.test(one))) return newArg(name, "list", value.join(", "));
  return newArg(name, "json", JSON.stringify(value));
}

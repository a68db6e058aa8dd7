// What will become of files before they are sent: the service is told their names, sizes and sums, and nothing of them.
import { useQuery } from "@tanstack/react-query";
import { useApi } from "../shell/context";
import { ProblemError, type Api } from "../wire/api";
import type { PlannedFile } from "../wire/jobs";
import type { NewFile } from "./drop";

/** Larger files are not read for their sum: it takes seconds, and all of the file stands in memory. */
const MOST_SUMMED_BYTES = 64_000_000;
/** No more than this is asked at once. */
const MOST_FILES = 2_000;

export type Plan = ReadonlyMap<NewFile, PlannedFile>;

/** Null until it is known, and where the service is an older one, which tells of nothing before. */
export function usePlan(collection: string, folder: string, readers: readonly string[], files: readonly NewFile[]): Plan | null {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ["plan", collection, folder, readers, files.map(({ path, file }) => [path, file.size, file.lastModified])],
    queryFn: ({ signal }) => planOf(api, collection, folder, readers, files.slice(0, MOST_FILES), signal),
    staleTime: 0,
    gcTime: 0,
  });
  return data ?? null;
}

async function planOf(api: Api, collection: string, folder: string, readers: readonly string[], files: readonly NewFile[], signal: AbortSignal): Promise<Plan | null> {
  const told: { name: string; size_bytes: number; sha256: string | null }[] = [];
  for (const { path, file } of files) {
    signal.throwIfAborted();
    told.push({ name: path, size_bytes: file.size, sha256: await sumOf(file) });
  }
  try {
    const planned = await api.plan(collection, folder, readers, told, signal);
    return new Map(files.flatMap((file, index) => (planned[index] ? [[file, planned[index]] as const] : [])));
  } catch (error) {
    if (error instanceof ProblemError) return null; // sending them tells what is wrong
    throw error;
  }
}

const sums = new WeakMap<File, Promise<string | null>>();

/** SHA-256 of a file, in hex; null where it is large, can't be read, or the page has no right to count. */
function sumOf(file: File): Promise<string | null> {
  const known = sums.get(file);
  if (known) return known;
  const sum = digest(file).catch(() => null);
  sums.set(file, sum);
  return sum;
}

async function digest(file: File): Promise<string | null> {
  // Browsers count for pages that came over HTTPS or from this machine alone.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle || file.size > MOST_SUMMED_BYTES) return null;
  const bytes = new Uint8Array(await subtle.digest("SHA-256", await file.arrayBuffer()));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

import { constants } from 'node:fs'
import { open, opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, messageOf } from '../../lib/errors.ts'
import { printable } from '../../lib/printable.ts'

export interface FolderEntry {
  readonly name: string
  /** Absolute. */
  readonly path: string
  /** The first line of its text, else its name; printable. */
  readonly reason: string
}

export type FolderContents =
  | {
      readonly kind: 'read'
      /** Those that are wanted, by name. */
      readonly entries: readonly FolderEntry[]
      /** There are others too. */
      readonly hasOthers: boolean
      /** Changes when another folder takes its place. */
      readonly identity: string
    }
  /** There is no such folder, so there is nothing in it. */
  | { readonly kind: 'missing' }
  /** Nothing can be said of what is in it. */
  | { readonly kind: 'unreadable'; readonly reason: string }

const mostEntries = 10_000
const reasonBytes = 200

/** What of a folder has a wanted name: files, folders, and links that lead somewhere. Never rejects. */
export async function readMaintenanceFolder(
  folder: string,
  isWanted: (name: string) => boolean,
): Promise<FolderContents> {
  try {
    const { dev, ino } = await stat(folder)
    const names: string[] = []
    let seen = 0
    for await (const { name } of await opendir(folder)) {
      seen += 1
      if (isWanted(name)) names.push(name)
      if (seen === mostEntries) break
    }
    const entries = await Promise.all(names.sort().map((name) => readEntry(folder, name)))
    return {
      kind: 'read',
      entries: entries.filter((entry) => entry !== undefined),
      hasOthers: seen > names.length,
      identity: `${dev}:${ino}`,
    }
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' }
    return { kind: 'unreadable', reason: messageOf(error) }
  }
}

/** Undefined when it is gone, or a link that leads nowhere. */
async function readEntry(folder: string, name: string): Promise<FolderEntry | undefined> {
  const path = join(folder, name)
  try {
    const found = await stat(path)
    const text = found.isFile() ? await firstLine(path) : ''
    return { name, path, reason: text === '' ? printable(name) : text }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    // It is there, and that is what counts.
    return { name, path, reason: printable(name) }
  }
}

async function firstLine(path: string): Promise<string> {
  // Non-blocking, for it may have become a FIFO since it was looked at.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(reasonBytes), 0, reasonBytes, 0)
    const [line = ''] = new TextDecoder().decode(buffer.subarray(0, bytesRead), { stream: true }).split('\n')
    return printable(line.trim())
  } finally {
    await handle.close()
  }
}

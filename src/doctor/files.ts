import { constants } from 'node:fs'
import { access, open, readdir, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { codeOf, messageOf } from '../lib/errors.ts'
import { type ConfigFile, type Fact, known, type ProgramFile, unknownFact } from './facts.ts'

/** modules.dep has under a megabyte, a routing table of the whole internet about a hundred. */
const MOST_BYTES = 16 * 1024 * 1024

/** A text file, whole; unknown when it cannot be read or is larger than 16 MiB. */
export async function readText(root: string, path: string): Promise<Fact<string>> {
  try {
    const handle = await open(root + path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const chunks: Buffer[] = []
      for (let size = 0; ; ) {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(262_144), 0, 262_144, null)
        if (bytesRead === 0) return known(Buffer.concat(chunks).toString('utf8'))
        size += bytesRead
        if (size > MOST_BYTES) return unknownFact(path, `it has more than ${MOST_BYTES} bytes`)
        chunks.push(buffer.subarray(0, bytesRead))
      }
    } finally {
      await handle.close()
    }
  } catch (error) {
    return unknownFact(path, whyNot(error))
  }
}

export async function exists(root: string, path: string): Promise<boolean> {
  return await stat(root + path).then(
    () => true,
    () => false,
  )
}

/** The names in a folder; none when it cannot be read. */
export async function namesIn(root: string, path: string): Promise<readonly string[]> {
  return await readdir(root + path).catch(() => [])
}

export async function lookAtConfig(root: string, path: string): Promise<Fact<ConfigFile>> {
  try {
    const { mode, uid, gid, mtimeMs } = await stat(root + path)
    return known({ mode: mode & 0o7777, uid, gid, mtimeMs })
  } catch (error) {
    return unknownFact(`the permissions of ${path}`, whyNot(error))
  }
}

/** A path, or a name that is looked for in `searchPath` as execvp(3) does. */
export async function lookAtProgram(root: string, name: string, searchPath: string): Promise<Fact<ProgramFile>> {
  if (name.includes('/')) return await lookAtFile(root, name)
  let last: Fact<ProgramFile> = known({ kind: 'missing' })
  for (const folder of searchPath.split(delimiter).filter((each) => each.startsWith('/'))) {
    const found = await lookAtFile(root, join(folder, name))
    if (found.known && found.value.kind === 'file' && (await mayExecute(root + join(folder, name)))) return found
    if (found.known && found.value.kind === 'file') last = found
  }
  return last
}

async function mayExecute(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

async function lookAtFile(root: string, path: string): Promise<Fact<ProgramFile>> {
  try {
    const found = await stat(root + path)
    return known(found.isFile() ? { kind: 'file', mode: found.mode & 0o7777 } : { kind: 'no-file' })
  } catch (error) {
    const isMissing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
    return isMissing ? known({ kind: 'missing' }) : unknownFact(path, whyNot(error))
  }
}

/** Why a file that is not there could not be read. */
export const MISSING = 'there is no such file'

const words: Readonly<Record<string, string>> = {
  ENOENT: MISSING,
  EACCES: 'permission denied',
  EPERM: 'not permitted',
}

function whyNot(error: unknown): string {
  return words[codeOf(error) ?? ''] ?? messageOf(error)
}

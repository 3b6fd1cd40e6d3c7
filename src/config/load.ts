import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Diagnostic } from '../lib/diagnostics.ts'
import { codeOf, messageOf } from '../lib/errors.ts'
import { normaliseAddress } from '../lib/ip.ts'
import type { LoadResult } from './model.ts'
import { type AddressBook, type HostName, type Lookup, lookUpNames, nameKey, namesOf } from './names.ts'
import { inFileOrder, type ParseDeps, parseConfig } from './parse.ts'
import type { ParsedFile } from './parsed.ts'
import { resolveConfig } from './resolve.ts'

/** What a load needs of the world. */
export interface LoadDeps extends Omit<ParseDeps, 'digest'> {
  readonly lookup: Lookup
}

/** A load with what is needed to resolve its names again. */
export interface Load extends LoadResult {
  readonly parsed?: ParsedFile
  /** The addresses that are in force. */
  readonly book?: AddressBook
  /** Names that did not answer, with the last good address, which is used; to be asked for again. */
  readonly assumed?: readonly AssumedName[]
  /** The same, with these addresses for the names that have none. */
  assuming?(known: AddressBook): Load
  /** The same bytes with their names asked anew, as a new value; names that do not answer keep their last address. */
  resolveAgain?(): Promise<Load>
}

export interface AssumedName extends HostName {
  readonly address: string
}

/** A configuration is some kilobytes; what is larger is another file. */
const LARGEST_BYTES = 8 * 1024 * 1024

/**
 * Reads, parses and resolves a file; never rejects. The file is read once, so that the digest is that of the bytes
 * that were parsed (defect D39). `lastGood` gives the addresses of names that do not answer now.
 */
export async function loadConfig(file: string, deps: LoadDeps, lastGood?: AddressBook): Promise<Load> {
  let bytes: Buffer
  try {
    bytes = await readBounded(file)
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'No such file or directory' : messageOf(error)
    return { config: undefined, diagnostics: [fileFault(file, `can not open file ${file}: ${reason}`)], text: '' }
  }
  const { text, isUtf8 } = decodeText(bytes)
  const digest = createHash('sha256').update(bytes).digest('hex')
  const { parsed, diagnostics } = parseConfig(text, file, { ...deps, digest })
  const encoding = isUtf8 ? [] : [latin1Remark(file)]
  if (parsed === undefined) return { config: undefined, diagnostics: [...encoding, ...diagnostics], text }
  const names = namesOf(parsed)
  const loadWith = (fresh: AddressBook, last: AddressBook): Load => {
    const assumed = names.flatMap((name) => assumedName(name, fresh, last))
    const book = new Map([...fresh, ...assumed.map((name) => [nameKey(name), name.address] as const)])
    const resolved = resolveConfig(parsed, book)
    return {
      config: resolved.config,
      diagnostics: [...encoding, ...inFileOrder([...diagnostics, ...resolved.diagnostics])],
      text,
      parsed,
      book,
      assumed,
      assuming: (known) => loadWith(fresh, new Map([...known, ...last])),
      resolveAgain: () => ask(book),
    }
  }
  const ask = async (last: AddressBook): Promise<Load> => loadWith(await lookUpNames(names, deps.lookup), last)
  return await ask(lastGood ?? new Map())
}

function assumedName(name: HostName, fresh: AddressBook, last: AddressBook): AssumedName[] {
  const key = nameKey(name)
  const known = fresh.has(key) ? undefined : last.get(key)
  const address = known === undefined ? undefined : normaliseAddress(known, name.family)
  return address === undefined ? [] : [{ ...name, address }]
}

async function readBounded(file: string): Promise<Buffer> {
  // Non-blocking, or a FIFO in its place would hold the reload, and the end of the daemon with it, for ever.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if (!(await handle.stat()).isFile()) throw new Error('not a regular file')
    const chunks: Buffer[] = []
    let size = 0
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(65_536), 0, 65_536, null)
      if (bytesRead === 0) return Buffer.concat(chunks)
      size += bytesRead
      if (size > LARGEST_BYTES) throw new Error(`larger than ${LARGEST_BYTES} bytes`)
      chunks.push(buffer.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}

function decodeText(bytes: Buffer): { text: string; isUtf8: boolean } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), isUtf8: true }
  } catch {
    return { text: bytes.toString('latin1'), isUtf8: false }
  }
}

function fileFault(file: string, message: string): Diagnostic {
  return { severity: 'error', code: 'file', message, at: { file, line: 1, column: 1, length: 1 } }
}

function latin1Remark(file: string): Diagnostic {
  const message = 'this file is not UTF-8: it is read as Latin-1'
  return { severity: 'warning', code: 'file', message, at: { file, line: 1, column: 1, length: 1 } }
}

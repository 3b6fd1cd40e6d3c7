import type { Load } from '../../config/load.ts'
import type { Config } from '../../config/model.ts'
import { messageOf } from '../../lib/errors.ts'
import { printable } from '../../lib/printable.ts'
import type { Tell } from '../../model/events.ts'
import type { Companion } from '../companion.ts'
import { readBounded, replaceFile } from '../operator/state-file.ts'

const version = 1

export interface KnownAddressesPorts {
  readonly path: string
  readonly tell: Tell
}

/**
 * The addresses that names had last, kept for the next start: when the name server does not answer then, a director would
 * take for down, and out of the table, what was serving. Checks decide over those addresses as over any other.
 */
export interface KnownAddresses extends Companion {
  /** The same file with the address that was known last for each name that does not answer; these are told. Never rejects. */
  complete<Loaded extends Load>(load: Loaded): Promise<Load>
}

export function createKnownAddresses({ path, tell }: KnownAddressesPorts): KnownAddresses {
  let written: string | undefined
  let isTold = false
  let work: Promise<void> = Promise.resolve()
  const trouble = (what: string, error: unknown): void => {
    if (!isTold) tell({ kind: 'note', text: `${what} ${printable(path)}: ${printable(messageOf(error))}` })
    isTold = true
  }
  const write = async (text: string): Promise<void> => {
    try {
      await replaceFile(path, text)
      isTold = false
    } catch (error) {
      written = undefined
      trouble('The addresses of names cannot be kept for the next start:', error)
    }
  }
  return {
    name: 'known addresses',
    complete: async (load) => {
      if ((load.config?.unresolved.length ?? 0) === 0 || load.assuming === undefined) return load
      const known = await read(path).catch((error: unknown) => {
        trouble('The addresses of names cannot be read:', error)
        return new Map<string, string>()
      })
      const completed = load.assuming(known)
      for (const { name, address } of completed.assumed ?? []) {
        const text = `The name ${printable(name)} does not answer: its last address is used, ${address}`
        tell({ kind: 'config-diagnostic', severity: 'warning', text })
      }
      return completed
    },
    onConfig: ({ addresses = new Map() }: Config) => {
      const text = `${JSON.stringify({ version, addresses: Object.fromEntries(addresses) }, undefined, 2)}\n`
      if (text === written || (written === undefined && addresses.size === 0)) return
      written = text
      work = work.then(() => write(text))
    },
    stop: () => work,
  }
}

/** By `nameKey`; empty when nothing was kept. */
async function read(path: string): Promise<ReadonlyMap<string, string>> {
  const text = await readBounded(path)
  if (text === undefined) return new Map()
  const value: unknown = JSON.parse(text)
  const { version: found, addresses } = (value ?? {}) as { version?: unknown; addresses?: unknown }
  if (found !== version || typeof addresses !== 'object' || addresses === null)
    throw new Error('it is no record of ours')
  const isText = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === 'string'
  return new Map(Object.entries(addresses).filter(isText))
}

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Config } from '../../config/model.ts'
import { codeOf, messageOf } from '../../lib/errors.ts'
import { printable } from '../../lib/printable.ts'
import type { Tell } from '../../model/events.ts'
import type { ServiceKey } from '../../model/service.ts'
import type { Companion } from '../companion.ts'
import { type Mark, type Marks, marksOf } from '../left-behind.ts'

const suffix = '.owned.json'
const version = 1
const maxFileBytes = 16 << 20

/**
 * Where an instance writes down which virtual services are its own: below /run, for the kernel's table does not outlive a
 * boot either.
 */
export function ownershipFileOf(instance: string, runDirectory: string): string {
  return join(runDirectory, 'ldirectord-ng', `${instance}${suffix}`)
}

export interface OwnershipPorts {
  readonly path: string
  readonly tell: Tell
  /** Whether a virtual service that left the file still has to be taken from the table. */
  readonly owns: (key: ServiceKey) => boolean
}

/** Keeps the record; a start after a restart or a kill finds in it what has left the file meanwhile. */
export interface Ownership extends Companion {
  /** What the instance before left behind, without what another instance has taken over since. */
  readonly before: Marks
  /** After a plain stop nothing is ours any more. */
  forget(): void
}

export function createOwnership({ path, tell, owns }: OwnershipPorts): Ownership {
  let written: string | undefined
  let isTold = false
  const trouble = (what: string, error: unknown): void => {
    if (!isTold) tell({ kind: 'note', text: `${what} ${printable(path)}: ${printable(messageOf(error))}` })
    isTold = true
  }
  const before = readBefore(path, (error) => trouble('It is not known which virtual services were ours:', error))
  /** Left the file and stand in the table still, as far as we know. */
  let leaving: Marks = before
  let ours: Marks = new Map()

  const write = (): void => {
    const text = formatMarks(new Map([...leaving, ...ours]))
    if (text === written) return
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
      writeFileSync(`${path}.new`, text, { mode: 0o644 })
      renameSync(`${path}.new`, path)
      written = text
      isTold = false
    } catch (error) {
      trouble('A restart will not know which virtual services are ours:', error)
    }
  }
  return {
    name: 'ownership',
    before,
    onConfig: (config: Config) => {
      const next = marksOf(config)
      leaving = new Map([...leaving, ...ours].filter(([key]) => !next.has(key)))
      ours = next
      write()
    },
    onChange: () => {
      if (leaving.size === 0) return
      leaving = new Map([...leaving].filter(([key]) => owns(key)))
      write()
    },
    forget: () => {
      try {
        rmSync(path, { force: true })
      } catch (error) {
        trouble('What is no longer ours still stands in', error)
      }
    },
  }
}

function readBefore(path: string, onTrouble: (error: unknown) => void): Marks {
  try {
    const own = readMarks(path)
    if (own.size === 0) return own
    const others = recordsBeside(path).flatMap((other) => [...readMarks(other).keys()])
    const taken = new Set(others)
    return new Map([...own].filter(([key]) => !taken.has(key)))
  } catch (error) {
    // Not known is not ours.
    onTrouble(error)
    return new Map()
  }
}

function recordsBeside(path: string): string[] {
  const names = readdirSync(dirname(path)).filter((name) => name.endsWith(suffix) && name !== basename(path))
  return names.map((name) => join(dirname(path), name))
}

function formatMarks(marks: Marks): string {
  return `${JSON.stringify({ version, services: Object.fromEntries(marks) })}\n`
}

/** Empty when there is no such file. Throws when it can not be understood. */
function readMarks(path: string): Marks {
  try {
    const stat = statSync(path)
    if (!stat.isFile() || stat.size > maxFileBytes) throw new Error('it is no record of ours')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return new Map()
    throw error
  }
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
  const { version: found, services } = (value ?? {}) as { version?: unknown; services?: unknown }
  if (found !== version || typeof services !== 'object' || services === null) throw new Error('it is no record of ours')
  return new Map(Object.entries(services).map(([key, mark]) => [key as ServiceKey, readMark(mark)]))
}

function readMark(value: unknown): Mark {
  const { scheduler, destinations } = (value ?? {}) as { scheduler?: unknown; destinations?: unknown }
  const isList = Array.isArray(destinations) && destinations.every((each) => typeof each === 'string')
  if (typeof scheduler !== 'string' || !isList) throw new Error('it is no record of ours')
  return { scheduler, destinations }
}

import { lookup as dnsLookup } from 'node:dns/promises'
import { normaliseAddress } from '../lib/ip.ts'
import type { Family } from '../model/service.ts'
import type { HostRef, ParsedFile } from './parsed.ts'

/** A host name, and the family its address must be of. */
export interface HostName {
  readonly name: string
  readonly family: Family
}

/** Addresses in normal form, by `nameKey`. A name that is not in it has no address now. */
export type AddressBook = ReadonlyMap<string, string>

/** Gives the first address of that family; rejects, or gives undefined, when there is none. */
export type Lookup = (name: string, family: Family) => Promise<string | undefined>

/** How long one round of look-ups may take in all. */
const LOOK_UP_MS = 4000

export function nameKey({ name, family }: HostName): string {
  return `${family} ${name}`
}

/** The names of a file, each once per family, in file order. */
export function namesOf(parsed: ParsedFile): readonly HostName[] {
  const names = new Map<string, HostName>()
  const add = (host: HostRef | undefined): void => {
    if (host === undefined || host.literal !== undefined) return
    const name = { name: host.text, family: host.family }
    names.set(nameKey(name), name)
  }
  for (const virtual of parsed.virtuals) {
    if (virtual.address.kind === 'address') add(virtual.address.host)
    for (const real of virtual.reals) {
      add(real.host)
      add(real.end)
    }
    add(virtual.fallback?.host)
  }
  return [...names.values()]
}

/** The address of a host by the book; undefined while its name has none. */
export function addressOf(host: HostRef, book: AddressBook): string | undefined {
  return host.literal ?? book.get(nameKey({ name: host.text, family: host.family }))
}

/** Asks for all names at once and waits a few seconds in all; never rejects. */
export async function lookUpNames(
  names: readonly HostName[],
  lookup: Lookup,
  lastGood: AddressBook = new Map(),
): Promise<AddressBook> {
  return await lookUpWithin(LOOK_UP_MS, { names, lookup, lastGood })
}

/** A round of look-ups. */
export interface LookUp {
  readonly names: readonly HostName[]
  readonly lookup: Lookup
  readonly lastGood: AddressBook
}

/** A name that does not answer in time, or with no address, keeps its last good one (defect D25). */
export async function lookUpWithin(limitMs: number, { names, lookup, lastGood }: LookUp): Promise<AddressBook> {
  const book = new Map<string, string>()
  for (const name of names) {
    const last = lastGood.get(nameKey(name))
    if (last !== undefined) book.set(nameKey(name), last)
  }
  if (names.length === 0) return book
  let isOpen = true
  const ask = async (name: HostName): Promise<void> => {
    const address = await addressFrom(lookup, name)
    // An answer that comes after the limit must not change a book that is in use.
    if (isOpen && address !== undefined) book.set(nameKey(name), address)
  }
  await withinLimit(Promise.all(names.map(ask)), limitMs)
  isOpen = false
  return book
}

async function addressFrom(lookup: Lookup, { name, family }: HostName): Promise<string | undefined> {
  try {
    const address = await lookup(name, family)
    return address === undefined ? undefined : normaliseAddress(address, family)
  } catch {
    return undefined
  }
}

async function withinLimit(work: Promise<unknown>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((done) => {
    timer = setTimeout(done, limitMs)
  })
  await Promise.race([work, limit])
  clearTimeout(timer)
}

/** getaddrinfo(3) blocks a thread of the pool that also serves files: never take all four of them. */
const MOST_AT_ONCE = 3

interface Waiting {
  readonly name: HostName
  readonly done: (address: string | undefined) => void
}

let busy = 0
const queue: Waiting[] = []
const asked = new Map<string, Promise<string | undefined>>()

/** The system's resolver: hosts file, then DNS. The same question is asked once at a time. */
export const systemLookup: Lookup = (name, family) => {
  const key = nameKey({ name, family })
  const open = asked.get(key)
  if (open !== undefined) return open
  const answer = new Promise<string | undefined>((done) => {
    queue.push({ name: { name, family }, done })
  }).finally(() => asked.delete(key))
  asked.set(key, answer)
  serveQueue()
  return answer
}

function serveQueue(): void {
  while (busy < MOST_AT_ONCE) {
    const next = queue.shift()
    if (next === undefined) return
    busy++
    void askSystem(next)
  }
}

async function askSystem({ name: { name, family }, done }: Waiting): Promise<void> {
  try {
    done((await dnsLookup(name, { family, verbatim: true })).address)
  } catch {
    done(undefined)
  } finally {
    busy--
    serveQueue()
  }
}

import type { Event, Phase } from './events.ts'

/** Events that tell of one entry of the table: a real server or the fallback came, went, or got another weight. */
export type EntryEvent = Extract<Event, { readonly turn: unknown }>
export type EntryKind = EntryEvent['kind']

/** Perl ldirectord's lines (behaviour reference 4.3 to 4.6): the log has them, and alerts have them as subjects (5.3). */
export const entryWording: { readonly [K in EntryKind]: (event: EntryEvent & { kind: K }) => string } = {
  'real-added': (e) => `Added real server: ${entryOf(e)} (Weight set to ${e.weight})`,
  'real-restored': (e) => `Restored real server: ${entryOf(e)} (Weight set to ${e.weight})`,
  'real-quiesced': (e) => `Quiescent real server: ${mappedEntry(e)} (Weight set to 0)`,
  'real-readded-quiescent': (e) => `Readd Quiescent real server: ${entryOf(e)} (Weight set to 0)`,
  'real-deleted': (e) => `Deleted real server: ${mappedEntry(e)}`,
  'real-purged': (e) => `Purged real server (${purgedAt(e.phase)}): ${entryOf(e)}`,
  'fallback-added': (e) => `Added fallback server: ${entryOf(e)} (Weight set to 1)`,
  'fallback-deleted': (e) => `Deleted fallback server: ${mappedEntry(e)}`,
}

export function isEntryEvent(event: Event): event is EntryEvent {
  return 'turn' in event
}

export function wordEntry(event: EntryEvent): string {
  const word = entryWording[event.kind] as (event: EntryEvent) => string
  return word(event)
}

/** Perl ldirectord says `start` for everything but its end, reloads included (behaviour reference 4.3). */
export function purgedAt(phase: Phase): 'start' | 'stop' {
  return phase === 'stopping' ? 'stop' : 'start'
}

/** `192.0.2.20:80 (192.0.2.10:80)`. */
export function entryOf(of: { readonly real: string; readonly virtual: string }): string {
  return `${of.real} (${of.virtual})`
}

function mappedEntry(of: { real: string; virtual: string; mappedFrom?: string | undefined }): string {
  return of.mappedFrom === undefined ? entryOf(of) : `${of.real} mapped from ${of.mappedFrom} (${of.virtual})`
}

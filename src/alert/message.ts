import type { EntryKind } from '../model/entry-wording.ts'
import type { Phase } from '../model/events.ts'

/** What happened, as programs read it: the words of `event` in the JSON of alertcommand and alertwebhook. */
export type AlertKind = EntryKind | 'real-inaccessible' | 'reload-refused'

/** One alert, before it is known who gets it. */
export interface AlertMessage {
  readonly event: AlertKind
  /** The log's line of the event, without the name of the service (behaviour reference 5.3). */
  readonly subject: string
  /** Wall clock, milliseconds since 1970. */
  readonly at: number
  readonly phase: Phase
  /** As the log writes them: `192.0.2.10:80` or a mark; undefined where it concerns none. */
  readonly virtual: string | undefined
  /** `tcp:192.0.2.10:80`. */
  readonly identity: string | undefined
  readonly real: string | undefined
  /** Whether the server gets traffic now. */
  readonly state: 'in' | 'out' | undefined
  readonly reason: string | undefined
  readonly weight: number | undefined
  readonly serviceName: string | undefined
  readonly comment: string | undefined
}

/** Who speaks. */
export interface Speaker {
  readonly host: string
  readonly instance: string
}

/** A subject line: the name of the service stands in front. */
export function titleOf({ serviceName, subject }: Pick<AlertMessage, 'serviceName' | 'subject'>): string {
  return isSet(serviceName) ? `[${serviceName}] ${subject}` : subject
}

/** Perl ldirectord's body to the byte, as it was seen on the wire; the empty last line comes with the second block. */
export function bodyOf(message: AlertMessage, { host }: Speaker): string {
  const { serviceName, comment, phase } = message
  const head = [`ldirectord host: ${host}`, `Log-Message: ${titleOf(message)}`, `Daemon-Status: ${phase}`]
  const more = [
    ...(isSet(serviceName) ? [`Service name: ${serviceName}`] : []),
    ...(isSet(comment) ? [`Comment: ${comment}`] : []),
  ]
  const lines = more.length === 0 ? head : [...head, '', ...more, '']
  return lines.map((line) => `${line}\n`).join('')
}

/** Version 1 of the JSON that commands and webhooks get; a field that does not apply is null (docs/operations.md). */
export function jsonOf(message: AlertMessage, { host, instance }: Speaker): string {
  return JSON.stringify({
    version: 1,
    time: new Date(message.at).toISOString(),
    host,
    instance,
    event: message.event,
    message: message.subject,
    virtual: message.virtual ?? null,
    identity: message.identity ?? null,
    real: message.real ?? null,
    state: message.state ?? null,
    reason: message.reason ?? null,
    weight: message.weight ?? null,
    servicename: message.serviceName ?? null,
    comment: message.comment ?? null,
    status: message.phase,
  })
}

/** The environment of alertcommand, beside PATH. */
export function environmentOf(message: AlertMessage, { host, instance }: Speaker): Record<string, string> {
  const { event, subject, virtual, real, state, phase } = message
  return {
    LDIRECTORD_HOST: host,
    LDIRECTORD_INSTANCE: instance,
    LDIRECTORD_EVENT: event,
    LDIRECTORD_MESSAGE: subject,
    LDIRECTORD_STATUS: phase,
    ...(virtual === undefined ? {} : { LDIRECTORD_VIRTUAL: virtual }),
    ...(real === undefined ? {} : { LDIRECTORD_REAL: real }),
    ...(state === undefined ? {} : { LDIRECTORD_STATE: state }),
  }
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== ''
}

import { bracketed } from '../../model/service.ts'
import type { Endpoint } from '../dial.ts'

export interface Options {
  /** Who is asked for, and who asks: `user@host`. */
  readonly login: string
  readonly transport: 'tcp' | 'udp'
  /** Our end of the conversation, where answers go. */
  readonly local: Endpoint
  /** Random and fresh for each request; the branch and Call-ID are made from it (RFC 3261 section 8.1.1). */
  readonly id: string
}

/** An OPTIONS request as Perl ldirectord's (behaviour reference 3.6), with a branch of its own and its real transport. */
export function encodeOptions({ login, transport, local, id }: Options): Buffer {
  const lines = [
    `OPTIONS sip:${login} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${bracketed(local.address)}:${local.port};branch=z9hG4bK${id}`,
    'Max-Forwards: 70',
    `To: <sip:${login}>`,
    `From: <sip:${login}>;tag=${id.slice(0, 10)}`,
    `Call-ID: ${id}`,
    'CSeq: 63104 OPTIONS',
    `Contact: <sip:${login}>`,
    'Accept: application/sdp',
    'Content-Length: 0',
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
}

export interface Response {
  readonly status: number
  /** `486 Busy Here`, not yet printable. */
  readonly text: string
}

/** The status line of a response; undefined for anything else. */
export function readStatus(head: string): Response | undefined {
  const [, text = '', digits = ''] = /^SIP\/2\.0 ((\d{3})(?: [^\r\n]*)?)\r?(?:\n|$)/i.exec(head) ?? []
  return digits === '' ? undefined : { status: Number(digits), text: text.trim() }
}

export const isProvisional = ({ status }: Response): boolean => status < 200

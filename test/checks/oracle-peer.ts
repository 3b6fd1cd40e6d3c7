import { createCipheriv, createDecipheriv, createHash, pbkdf2Sync } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Behaviour } from '../check/hostile.ts'

/** TNS packet types. */
const CONNECT = 1
const ACCEPT = 2
const REFUSE = 4
const REDIRECT = 5
const DATA = 6

/** A TNS packet as it is before ACCEPT: length in two bytes. Afterwards it takes four. */
export function packet(type: number, body: Buffer, lengthBytes: 2 | 4 = 2): Buffer {
  const head = Buffer.alloc(8)
  head.writeUIntBE(8 + body.length, 0, lengthBytes)
  head[4] = type
  return Buffer.concat([head, body])
}

const data = (payload: Buffer): Buffer => packet(DATA, Buffer.concat([Buffer.alloc(2), payload]), 4)

/** The listener's refusal with an error number of its own. */
export function refuse(number: number): Buffer {
  const text = `(DESCRIPTION=(TMP=)(VSNNUM=0)(ERR=${number})(ERROR_STACK=(ERROR=(CODE=${number})(EMFI=4))))`
  return packet(REFUSE, withLength(Buffer.from([0, 0]), text))
}

export function redirect(to: string): Buffer {
  return packet(REDIRECT, withLength(Buffer.alloc(0), to))
}

function withLength(before: Buffer, text: string): Buffer {
  return Buffer.concat([before, Buffer.from([text.length >> 8, text.length & 0xff]), Buffer.from(text, 'latin1')])
}

/** Version 315, long packets of 8192 bytes, no services of native encryption. */
export const accept = ((): Buffer => {
  const body = Buffer.alloc(37)
  body.writeUInt16BE(315, 0)
  body.writeUInt16BE(8192, 4)
  body.writeUInt16BE(8192, 6)
  body[14] = 4
  body[15] = 8
  body.writeUInt32BE(8192, 24)
  body.writeUInt32BE(8192, 28)
  return packet(ACCEPT, body)
})()

/** Integer of variable length: how many bytes, then these. */
function integer(value: number): Buffer {
  if (value === 0) return Buffer.from([0])
  const bytes = Buffer.from(value.toString(16).padStart(value > 0xffff ? 8 : value > 0xff ? 4 : 2, '0'), 'hex')
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])
const status = Buffer.from([9, 0, 0])

/** An answer of keys and values, some with a number beside. */
function parameters(pairs: readonly (readonly [key: string, value: string, flag?: number])[]): Buffer {
  const each = pairs.map(([key, value, flag = 0]) =>
    Buffer.concat([integer(key.length), text(key), integer(value.length), text(value), integer(flag)]),
  )
  return Buffer.concat([Buffer.from([8]), integer(pairs.length), ...each, status])
}

/** The error message that ends a call; number 0 is success, 1403 the end of the rows. */
export function outcome(number: number, message = '', rowCount = 0): Buffer {
  const words = number === 0 ? Buffer.alloc(0) : text(message)
  // 28 fields that are all zero, then the number, the row count and the words
  return Buffer.concat([Buffer.from([4]), Buffer.alloc(28), integer(number), integer(rowCount), words])
}

/** One column N of NUMBER, and as many rows of 1. */
export function rowsOf(count: number): Buffer {
  const column = [2, 0, 0, 0x81, 1, 22, 0, 0, 0, 0, 0, 0, 1, 22, 1, 1, 1, 1, 1, 0x4e, 0, 0, 0, 0]
  const describe = Buffer.from([16, 0, 1, 22, 1, 1, 1, ...column, 0, 0, 0, 0, 0, 0])
  const row = Buffer.from([6, 0, 0, 0, 0, 0, 0, 0, 7, 2, 0xc1, 2])
  return Buffer.concat([
    describe,
    ...Array.from({ length: count }, () => row),
    outcome(1403, 'ORA-01403: no data found'),
  ])
}

const banner = Buffer.concat([
  Buffer.from([1, 6, 0]),
  Buffer.from('scripted\0'),
  // character set 873, no elements, 11 bytes of which the last two are the national character set
  Buffer.from([0x69, 3, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0xd0]),
  // compile-time abilities with field version 7 (12.1), run-time ones with the time zone
  Buffer.from([8, 0, 0, 0, 0, 0, 0, 0, 7, 7, 2, 1, 0, 0, 0, 0, 4]),
])
const dataTypes = Buffer.from([2, 0x80, 0, 0, 0, 60, 60, 0x80, 0, 0, 0, 0, 0, 0])

const verifier = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
const mixingSalt = Buffer.from('0123456789abcdef0123456789abcdef', 'hex')
const serverPart = createHash('sha256').update('part a').digest()

function cipher(key: Buffer, plain: Buffer): Buffer {
  const to = createCipheriv('aes-256-cbc', key, Buffer.alloc(16)).setAutoPadding(false)
  return Buffer.concat([to.update(plain), to.final()])
}

function decipher(key: Buffer, secret: Buffer): Buffer {
  const from = createDecipheriv('aes-256-cbc', key, Buffer.alloc(16)).setAutoPadding(false)
  return Buffer.concat([from.update(secret), from.final()])
}

/** The 12c verifier of a password: what the account's row in the database holds. */
function hashOf(password: string): Buffer {
  const salt = Buffer.concat([verifier, Buffer.from('AUTH_PBKDF2_SPEEDY_KEY')])
  const key = pbkdf2Sync(password, salt, 4096, 64, 'sha512')
  return createHash('sha512').update(key).update(verifier).digest().subarray(0, 32)
}

export interface OracleServer {
  readonly behave: Behaviour
  /** What the clients wished to be connected to, `SID=…` or `SERVICE_NAME=…`. */
  readonly asked: readonly string[]
  readonly queries: readonly string[]
  /** How many clients logged off. */
  leavers(): number
}

export interface OracleParts {
  readonly password: string
  /** What the listener knows; it answers ORA-12505 or ORA-12514 for everything else. */
  readonly knows?: string
  /** In place of one row. Undefined never answers. */
  readonly answer?: Buffer | undefined
  /** In place of the end of the call that logs off. */
  readonly silentAtLogoff?: boolean
  /** In place of the greeting's answer to the password. */
  readonly denies?: Buffer
}

/**
 * A stand-in for a listener and a database: ACCEPT, protocol and data type negotiation, the log-in of 12c that proves
 * the password on both sides, one query. Written after what the driver reads and sends; no Oracle was there to compare.
 */
export function oracleServer(parts: OracleParts): OracleServer {
  const asked: string[] = []
  const queries: string[] = []
  let leavers = 0
  const behave: Behaviour = (socket) => {
    let said = Buffer.alloc(0) as Buffer
    let isAccepted = false
    socket.on('data', (chunk) => {
      said = Buffer.concat([said, chunk])
      if (!isAccepted) {
        const wish = /\((SID|SERVICE_NAME)=([^)]*)\)/.exec(said.toString('latin1'))
        if (said[4] !== CONNECT || wish === null || !/\)\)$/.test(said.toString('latin1'))) return
        said = Buffer.alloc(0)
        asked.push(`${wish[1]}=${wish[2]}`)
        if (`${wish[1]}=${wish[2]}` !== (parts.knows ?? 'SID=ORCL')) {
          socket.write(refuse(wish[1] === 'SID' ? 12505 : 12514))
          return
        }
        isAccepted = true
        socket.write(accept)
        return
      }
      while (said.length >= 8 && said.length >= said.readUInt32BE(0)) {
        const payload = said.subarray(10, said.readUInt32BE(0))
        said = said.subarray(said.readUInt32BE(0))
        serve(payload, socket)
      }
    })
  }
  const serve = (payload: Buffer, socket: Socket): void => {
    const reply = (body: Buffer): void => void socket.write(data(body))
    const [type, call] = payload
    if (type === 1) reply(banner)
    else if (type === 2) reply(dataTypes)
    else if (type === 3 && call === 118) reply(parameters(challenge(parts.password)))
    else if (type === 3 && call === 115) reply(parts.denies ?? proofOf(payload.toString('latin1'), parts.password))
    else if (type === 3 && call === 94) {
      queries.push(/select.*?(?=[^ -~])/i.exec(`${payload.toString('latin1')}\0`)?.[0] ?? '')
      if (!('answer' in parts)) reply(rowsOf(1))
      else if (parts.answer !== undefined) reply(parts.answer)
    } else if (payload.length > 0) {
      leavers++
      if (parts.silentAtLogoff !== true) reply(status)
    }
  }
  return { behave, asked, queries, leavers: () => leavers }
}

const challenge = (password: string): [string, string, number?][] => [
  ['AUTH_SESSKEY', cipher(hashOf(password), serverPart).toString('hex').toUpperCase()],
  ['AUTH_VFR_DATA', verifier.toString('hex').toUpperCase(), 0x4815],
  ['AUTH_PBKDF2_CSK_SALT', mixingSalt.toString('hex').toUpperCase()],
  ['AUTH_PBKDF2_VGEN_COUNT', '4096'],
  ['AUTH_PBKDF2_SDER_COUNT', '3'],
]

/** ORA-01017, or the server's own proof that it knows the password. */
function proofOf(sent: string, password: string): Buffer {
  const bytesOf = (key: string): Buffer =>
    Buffer.from(new RegExp(`${key}\\x01(.)\\1([0-9A-F]+)`, 's').exec(sent)?.[2] ?? '', 'hex')
  const clientPart = decipher(hashOf(password), bytesOf('AUTH_SESSKEY'))
  const both = Buffer.concat([clientPart.subarray(0, 32), serverPart])
    .toString('hex')
    .toUpperCase()
  const key = pbkdf2Sync(both, mixingSalt, 3, 32, 'sha512')
  const given = decipher(key, bytesOf('AUTH_PASSWORD')).subarray(16)
  const padding = given.at(-1) ?? 0
  if (given.subarray(0, -padding).toString() !== password) {
    return outcome(1017, 'ORA-01017: invalid username/password; logon denied\n')
  }
  const response = cipher(key, Buffer.from(`${'x'.repeat(16)}SERVER_TO_CLIENT`))
  return parameters([
    ['AUTH_SVR_RESPONSE', response.toString('hex').toUpperCase()],
    ['AUTH_VERSION_NO', '202375680'],
  ])
}

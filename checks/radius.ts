import { randomBytes } from 'node:crypto'
import type { Check, Target } from '../src/check/contract.ts'
import { exchangeDatagrams } from '../src/check/datagram.ts'
import type { Endpoint, Progress } from '../src/check/dial.ts'
import { Failure, failureOf } from '../src/check/failure.ts'
import { login, passwd, secret } from '../src/check/fields.ts'
import {
  type Attribute,
  attributeType,
  code,
  decodePacket,
  hidePassword,
  isGenuine,
  type Packet,
  signPacket,
} from '../src/check/radius/packet.ts'
import type { OptionsOf } from '../src/lib/fields.ts'
import { bytesOfAddress } from '../src/lib/ip-bytes.ts'
import { printable } from '../src/lib/printable.ts'
import { type CheckResult, down, up } from '../src/model/verdict.ts'

const fields = { login, passwd, secret }

/** Sends an Access-Request over UDP, whatever the virtual service is. Up when the answer is a genuine Access-Accept. */
export const radius: Check<typeof fields> = {
  name: 'radius',
  kind: 'negotiate',
  summary: 'asks a RADIUS server to let login in with passwd',
  defaultForPorts: [1812],
  timeout: 'checktimeout',
  fields,
  async run(target, options, { signal, timeoutMs, step }) {
    const progress: Progress = { phase: 'waiting for the answer to Access-Request, which a wrong secret does not get' }
    step(progress.phase)
    const key = Buffer.from(options.secret.reveal())
    const authenticator = randomBytes(16)
    const identifier = randomBytes(1).readUInt8()
    let strangers = 0
    try {
      const answer = await exchangeDatagrams(target, {
        signal,
        timeoutMs,
        message: (local) => encodeRequest({ target, options, local, authenticator, identifier }),
        take: (datagram) => {
          const packet = decodePacket(datagram)?.packet
          const isOurs = packet?.identifier === identifier && isGenuine(datagram, authenticator, key)
          if (isOurs) return packet
          strangers++
          return undefined
        },
        lastWord: () => {
          if (strangers > 0) throw new Failure('protocol', 'the answer is not signed with our secret: is it the same?')
          return undefined
        },
      })
      return judge(answer)
    } catch (error) {
      if (error instanceof RangeError) return down('protocol', `cannot be asked: ${error.message}`)
      return failureOf(error, signal, progress.phase)
    }
  },
}

interface RequestParts {
  readonly target: Target
  readonly options: OptionsOf<typeof fields>
  readonly local: Endpoint
  readonly authenticator: Buffer
  readonly identifier: number
}

function encodeRequest({ target, options, local, authenticator, identifier }: RequestParts): Buffer {
  const key = Buffer.from(options.secret.reveal())
  const name = Buffer.from(options.login)
  const password = hidePassword(Buffer.from(options.passwd.reveal()), key, authenticator)
  const { nasIpAddress, nasIpv6Address, userName, userPassword } = attributeType
  const attributes: Attribute[] = [
    // an attribute without a value is not allowed
    ...(name.length === 0 ? [] : [{ type: userName, value: name }]),
    { type: userPassword, value: password },
    {
      type: target.family === 6 ? nasIpv6Address : nasIpAddress,
      value: bytesOfAddress(local.address, target.family),
    },
  ]
  return signPacket({ code: code.accessRequest, identifier, authenticator, attributes }, key)
}

function judge({ code: answer, attributes }: Packet): CheckResult {
  const texts = attributes
    .filter(({ type }) => type === attributeType.replyMessage)
    .map(({ value }) => value.toString())
  const said = texts.length === 0 ? '' : `: ${printable(texts.join(' '), 200)}`
  if (answer === code.accessAccept) return up(`Access-Accept${said}`)
  if (answer === code.accessReject) return down('auth', `Access-Reject${said}`)
  if (answer === code.accessChallenge) return down('auth', `Access-Challenge, more than a password is asked for${said}`)
  return down('protocol', `an answer of code ${answer}`)
}

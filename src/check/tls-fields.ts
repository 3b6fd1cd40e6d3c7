import { decodeQuoted, decodeYesNo, firstWord, makeField } from '../lib/decode.ts'
import type { Field, OptionsOf } from '../lib/fields.ts'

/** The directives of every check that speaks TLS. Files are read when a check runs: a new certificate needs no reload. */
export const tlsFields = {
  tlsverify: makeField({
    doc: 'With yes a certificate that no known authority has signed, that has expired or that names another host is a failed check. Otherwise it is only looked at and reported.',
    fallback: 'no',
    absent: false,
    decode: (directive, report) => decodeYesNo(directive, report),
  }),
  tlsca: file('File with the certificates of the authorities that are trusted, in PEM.', "the system's"),
  tlscert: file('File with the certificate, and those above it, that is shown to a server that asks for one, in PEM.'),
  tlskey: file('File with the private key of tlscert, in PEM, without a passphrase.', 'tlscert'),
  checksni: makeField<string | undefined>({
    doc: 'Server name of TLS, where it is not the virtual host: sent (SNI), and looked for in the certificate.',
    fallback: 'virtualhost',
    absent: undefined,
    decode: (directive, report) => decodeQuoted(directive, report, 'invalid checksni'),
  }),
}

export type TlsSettings = OptionsOf<typeof tlsFields>

/** For a connection that is TLS though its check has none of the directives: http after a redirect. */
export const plainTlsSettings: TlsSettings = {
  tlsverify: false,
  tlsca: undefined,
  tlscert: undefined,
  tlskey: undefined,
  checksni: undefined,
}

export type StartTls = 'yes' | 'no' | 'try'

export const starttls: Field<StartTls> = makeField<StartTls>({
  doc: 'Whether the plain connection becomes a TLS one before anything else is said: yes, no, or try, where the server offers it.',
  fallback: 'no',
  absent: 'no',
  decode: (directive, report) => {
    const word = firstWord(directive)
    if (word?.text === 'yes' || word?.text === 'no' || word?.text === 'try') return word.text
    report.error('value', "starttls must be 'yes', 'no' or 'try'", word?.at ?? directive.valueAt)
    return undefined
  },
})

function file(doc: string, fallback = ''): Field<string | undefined> {
  return makeField<string | undefined>({
    doc,
    fallback,
    absent: undefined,
    decode: (directive, report) => decodeQuoted(directive, report, `invalid ${directive.name}`),
  })
}

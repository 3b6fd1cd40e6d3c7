import type { AnyCheck } from '../src/check/contract.ts'
import { connect } from './connect.ts'
import { dns } from './dns.ts'
import { external } from './external.ts'
import { externalPerl } from './external-perl.ts'
import { ftp } from './ftp.ts'
import { http } from './http.ts'
import { httpProxy } from './http-proxy.ts'
import { https } from './https.ts'
import { imap } from './imap.ts'
import { imaps } from './imaps.ts'
import { ldap } from './ldap.ts'
import { ldaps } from './ldaps.ts'
import { mysql } from './mysql.ts'
import { nntp } from './nntp.ts'
import { oracle } from './oracle.ts'
import { pgsql } from './pgsql.ts'
import { ping } from './ping.ts'
import { pop } from './pop.ts'
import { pops } from './pops.ts'
import { radius } from './radius.ts'
import { simpletcp } from './simpletcp.ts'
import { sip } from './sip.ts'
import { smtp } from './smtp.ts'
import { submission } from './submission.ts'

/** Every check this program has. The only list: names, default ports, help and manual are derived from it. */
export const checks: readonly AnyCheck[] = [
  connect,
  dns,
  external,
  externalPerl,
  ftp,
  http,
  httpProxy,
  https,
  imap,
  imaps,
  ldap,
  ldaps,
  mysql,
  nntp,
  oracle,
  pgsql,
  ping,
  pop,
  pops,
  radius,
  simpletcp,
  sip,
  smtp,
  submission,
]

import { connect } from '../../checks/connect.ts'
import { external } from '../../checks/external.ts'
import { externalPerl } from '../../checks/external-perl.ts'
import { http } from '../../checks/http.ts'
import { https } from '../../checks/https.ts'
import { mysql } from '../../checks/mysql.ts'
import { ping } from '../../checks/ping.ts'
import { makeRegistry } from '../../src/check/registry.ts'
import type { Lookup } from '../../src/config/names.ts'
import { parseServices } from '../../src/config/services.ts'

/** Fixed, so that a new check does not change what the cases say. */
const registry = makeRegistry([connect, ping, external, externalPerl, http, https, mysql])

/** As Debian's /etc/services has them: no http over udp. */
const SERVICES = `
domain 53/tcp # Domain Name Server
domain 53/udp
http 80/tcp www
https 443/tcp
https 443/udp
mysql 3306/tcp
sip 5060/tcp
sip 5060/udp
`

export const goldenDeps = { registry, services: parseServices(SERVICES), hostname: 'director' }

const HOSTS: Readonly<Record<string, string>> = {
  '4 localhost': '127.0.0.1',
  '6 localhost': '::1',
  '4 web1.example.com': '192.0.2.21',
  '4 web4.example.com': '192.0.2.24',
  '4 vip.example.com': '192.0.2.10',
}

export const stubLookup: Lookup = async (name, family) => HOSTS[`${family} ${name}`]

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Peer {
  name: string
  url: string
  key: string
  pid: number
  base: string
}
type Start = (command: string[], env?: Record<string, string>) => { pid: number }

/** The floor: nginx passing every byte on, nothing else. */
export async function findNginx(folder: string, upstream: string, port: number, start: Start): Promise<Peer | undefined> {
  const binary = Bun.which('nginx', { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` })
  if (binary === null) {
    console.error('nginx is not installed (Debian: apt-get install nginx): the floor is left out')
    return undefined
  }
  const prefix = join(folder, 'nginx')
  mkdirSync(join(prefix, 'logs'), { recursive: true })
  const config = `daemon off; worker_processes 1; error_log stderr crit; pid ${prefix}/nginx.pid;
events { worker_connections 8192; }
http { access_log off; client_body_temp_path ${prefix}/body; proxy_temp_path ${prefix}/proxy; fastcgi_temp_path ${prefix}/f; uwsgi_temp_path ${prefix}/u; scgi_temp_path ${prefix}/s;
  upstream up { server ${new URL(upstream).host}; keepalive 256; }
  server { listen 127.0.0.1:${port}; keepalive_requests 1000000;
    location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } } }`
  writeFileSync(join(prefix, 'nginx.conf'), config)
  const child = start([binary, '-p', prefix, '-c', join(prefix, 'nginx.conf')])
  const base = `http://127.0.0.1:${port}`
  return { name: 'nginx', url: `${base}/v1/chat/completions`, key: 'x', pid: child.pid, base }
}

/** Pinned: what was measured is what is installed. It is fetched into a folder of its own and is no dependency of ours. */
const PORTKEY = '@portkey-ai/gateway@1.15.2'

/** The peer: the TypeScript gateway most people know, on the Node that runs npm. */
export async function findPortkey(upstream: string, port: number, start: Start): Promise<Peer | undefined> {
  const folder = join(import.meta.dir, '../.cache/portkey')
  const entry = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js')
  if (!existsSync(entry)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    const install = Bun.spawnSync(['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', PORTKEY], {
      cwd: folder,
      stdout: 'ignore',
      stderr: 'pipe',
    })
    if (install.exitCode !== 0 || !existsSync(entry)) {
      console.error(`${PORTKEY} cannot be installed here: the peer is left out`)
      return undefined
    }
  }
  const child = start(['node', entry, `--port=${port}`, '--headless'])
  const base = `http://127.0.0.1:${port}`
  // Its routing is by header; a proxy of ours would add cost, so the key carries the header's JSON through `load.ts`.
  return {
    name: 'Portkey',
    url: `${base}/v1/chat/completions`,
    key: JSON.stringify({ provider: 'openai', custom_host: `${upstream}/v1` }),
    pid: child.pid,
    base,
  }
}

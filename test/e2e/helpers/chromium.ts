/**
 * chromium.ts — a real browser, where there is one: Debian's, or what SMPALLOC_CHROMIUM names. Tests that need it are
 * skipped where there is none, and say so.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { runs } from './cli.js';

const PATH = process.env.SMPALLOC_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

export const hasChromium = runs(PATH, '--version');
if (!hasChromium) console.warn(`skipped: no browser at ${PATH}; apt-get install chromium, or SMPALLOC_CHROMIUM=PATH`);

export interface Opened {
  readonly page: Page;
  /** every request, the page's own included */
  readonly requests: string[];
  /** what the console was told, violations of the policy among it, and errors nobody caught */
  readonly complaints: string[];
}

export class Browser {
  readonly #profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  #context: BrowserContext | null = null;

  async start(): Promise<void> {
    this.#context = await chromium.launchPersistentContext(this.#profile, {
      executablePath: PATH, args: FLAGS, chromiumSandbox: false, headless: true,
    });
  }

  /** A file as a user would open it. */
  async open(path: string, size = { width: 1280, height: 900 }): Promise<Opened> {
    const page = await this.#context!.newPage();
    await page.setViewportSize(size);
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(pathToFileURL(path).href);
    return { page, requests, complaints };
  }

  async stop(): Promise<void> {
    await this.#context?.close();
    rmSync(this.#profile, { recursive: true, force: true });
  }
}

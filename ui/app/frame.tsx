import { useEffect, useRef } from 'preact/hooks';
import { isRunId } from '../model/run-id.ts';
import { Announcer } from '../parts/announce.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Screen } from '../parts/screen.tsx';
import { barrier, who } from './caller.ts';
import { OWN_ZONE, ZONES, zone } from './clock.ts';
import { areKeysOn, isHelpOpen, KEYS, switchKeys } from './keyboard.ts';
import { at, go, link, place } from './router.ts';
import { SECTIONS, screenOf, sectionOf } from './screens.ts';
import { SignIn } from './sign-in.tsx';

/** What is around every screen: where the reader is, where else to go, and who it is. */
export function Frame() {
  const { path } = place.value;
  const found = screenOf(path);
  const wall = barrier.value;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header section={sectionOf(path)} isBarred={wall !== undefined} />
      {wall ? (
        <SignIn {...wall} />
      ) : found ? (
        <found.Screen key={path} {...found.params} />
      ) : (
        <Screen title="There is no such page">
          <p>
            The address may have been cut off. <a href={link('/')}>Go to the overview</a>
          </p>
        </Screen>
      )}
      <Footer />
      <Announcer />
      {isHelpOpen.value && <KeysHelp />}
    </>
  );
}

function Header({ section, isBarred }: { section: string; isBarred: boolean }) {
  const sections = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a small screen, the sections scroll sideways.
    const current = sections.current?.querySelector<HTMLElement>(`[href="${link(section)}"]`);
    if (current) sections.current!.scrollLeft = current.offsetLeft - 24;
  }, [section]);
  const { instance = null } = who.value ?? {};
  return (
    <header class="top">
      <div class="bar">
        <a class="brand" href={link('/')}>
          <Logo />
          Strongroom
        </a>
        {instance !== null && <span class="instance">{instance}</span>}
        {/* Before it is known who looks, nothing can be found, and a key typed there would be in the address. */}
        {!isBarred && <Search />}
      </div>
      <nav ref={sections} aria-label="Sections" class="sections">
        {SECTIONS.map(([to, text]) => (
          <a href={link(to)} aria-current={section === to ? 'page' : undefined}>
            {text}
          </a>
        ))}
      </nav>
    </header>
  );
}

function Search() {
  return (
    <search class="find">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const q = new FormData(event.currentTarget).get('q');
          const text = typeof q === 'string' ? q.trim() : '';
          if (isRunId(text)) go(link(at`/runs/${text}`));
          else if (text !== '') go(link('/find', { q: text }));
        }}
      >
        <input
          name="q"
          type="search"
          data-find
          aria-label="Find a file"
          placeholder="Find a file …"
          autocomplete="off"
          spellcheck={false}
        />
        <span class="key" aria-hidden="true">
          /
        </span>
      </form>
    </search>
  );
}

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <circle cx="16" cy="16" r="13" />
      <circle cx="16" cy="16" r="3.4" />
      <path d="M16 12.6V3M18.9 17.7l8.3 4.8M13.1 17.7l-8.3 4.8" />
    </svg>
  );
}

function Footer() {
  const caller = who.value;
  return (
    <footer class="foot">
      <span>{caller && `Strongroom ${caller.version}`}</span>
      <label>
        Times in{' '}
        <select
          value={zone.value}
          onChange={(event) => {
            zone.value = ZONES.find((each) => each === event.currentTarget.value) ?? 'local';
          }}
        >
          <option value="local">{OWN_ZONE}</option>
          {OWN_ZONE !== 'UTC' && <option value="UTC">UTC</option>}
        </select>
      </label>
      <button type="button" class="plain-link" onClick={() => (isHelpOpen.value = true)}>
        Keys
      </button>
      <a href={link('/settings')}>{caller === undefined ? 'Settings' : (caller.name ?? 'Settings')}</a>
    </footer>
  );
}

function KeysHelp() {
  return (
    <Dialog title="Keys" onClose={() => (isHelpOpen.value = false)}>
      <dl class="keys">
        {KEYS.map(([keys, does]) => (
          <div>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label class="choice">
        <input
          type="checkbox"
          checked={areKeysOn.value}
          onChange={(event) => switchKeys(event.currentTarget.checked)}
        />
        Single keys do something
      </label>
      <form method="dialog">
        <button type="submit" class="button main">
          Close
        </button>
      </form>
    </Dialog>
  );
}

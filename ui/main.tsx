import { render } from 'preact';
import { keepFocus } from './app/focus.ts';
import { Frame } from './app/frame.tsx';
import { listenToKeys } from './app/keyboard.ts';
import { followLinks } from './app/router.ts';
import { lookWhoCalls } from './app/session.ts';
import { applyTheme } from './app/theme.ts';
import './style.css';
import './restore.css';

applyTheme();
followLinks();
listenToKeys();
keepFocus();
void lookWhoCalls();
render(<Frame />, document.getElementById('page')!);

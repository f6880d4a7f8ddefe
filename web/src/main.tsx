import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';

import { render } from 'preact';

import { App, fetchAhead } from './app';
import { setFormatLocale } from './parts/format';
import { listenForKeys } from './parts/keys';
import { loadMe } from './parts/me';
import { startRouter } from './parts/router';
import { loadViews } from './parts/saved_views';
import { readSetting } from './parts/settings';
import { loadTheme } from './parts/theme';

loadTheme();
setFormatLocale(readSetting('locale') ?? navigator.language);
loadViews();
startRouter();
fetchAhead(location.pathname);
listenForKeys();
void loadMe();

const root = document.getElementById('app');
if (root !== null) render(<App />, root);

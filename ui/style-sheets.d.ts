/** The build takes style sheets from what imports them. */
declare module '*.css';

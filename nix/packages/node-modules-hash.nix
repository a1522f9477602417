"sha256-GA3QdjajyhoVbK3lHWhbJppGU/KC4erMW2dhrLyj4Hg="

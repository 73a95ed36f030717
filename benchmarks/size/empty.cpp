// The same image without the library: what is subtracted.
int main()
{
    for (;;) {}
}
